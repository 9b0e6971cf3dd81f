"""What the local model is shown before it is asked: a few exchanges about a table that no notebook has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A question, the call that answers it (or none), its result, and the final words."""

    question: str
    answer: str
    tool: str = ""
    argument: str = ""
    result: str = ""


EXAMPLES = (
    Example(
        question="Which city has the highest rent in `flats`\n"
        "(flats: DataFrame, 90 rows, columns: city str (Bonn | Essen), rooms int64, rent float64, let datetime64[ns]\n"
        "Bonn | 3 | 812.5 | 2023-05-02 00:00:00)\n?",
        tool="sql",
        argument="SELECT city, sum(rent) AS total_rent FROM flats GROUP BY city ORDER BY total_rent DESC LIMIT 1",
        result="city,total_rent\nBonn,42812.5",
        answer="Bonn has the highest rent, 42812.5 in total.",
    ),
    Example(
        question="How many flats were let in May 2023?",
        tool="sql",
        argument="SELECT count(*) AS flats FROM flats WHERE let >= '2023-05-01' AND let < '2023-06-01'",
        result="flats\n14",
        answer="14 flats were let in May 2023.",
    ),
    Example(
        question="What is the average rent of flats with 3 rooms, by month?",
        tool="sql",
        argument="SELECT date_trunc('month', let) AS month, avg(rent) AS rent FROM flats WHERE rooms = 3 "
        "GROUP BY month ORDER BY month",
        result="month,rent\n2023-04-01,704.0\n2023-05-01,731.5",
        answer="Flats with 3 rooms cost 704.0 on average in April 2023 and 731.5 in May 2023.",
    ),
    Example(
        question="What share of the flats has no rent?",
        tool="sql",
        argument="SELECT 100.0 * count(*) FILTER (WHERE rent IS NULL) / count(*) AS percent FROM flats",
        result="percent\n12.5",
        answer="12.5 % of the flats have no rent.",
    ),
    Example(
        question="Add a column `per_room` to flats.",
        tool="python",
        argument="flats['per_room'] = flats['rent'] / flats['rooms']",
        result="changed: flats",
        answer="Added the column per_room: rent divided by rooms.",
    ),
    Example(
        question="Thank you! What else can you do?",
        answer="I can query your DataFrames with SQL, and change them with Python once you approve.",
    ),
)
