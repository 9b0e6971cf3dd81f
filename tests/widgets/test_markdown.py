import re
import time

import pytest

from assent_widgets.markdown import markdown_html


def plain(text: str) -> str:
    """The HTML without its styles."""
    return re.sub(r' style="[^"]*"', "", markdown_html(text))


def test_paragraphs_and_emphasis() -> None:
    assert plain("a **b** c\n*d* __e__ _f_\n\ng `h*i*`") == (
        "<p>a <strong>b</strong> c<br><em>d</em> <strong>e</strong> <em>f</em></p><p>g <code>h*i*</code></p>"
    )


def test_names_and_sums_are_no_emphasis() -> None:
    assert plain("snake_case_name 2*3*4 a * b * c") == "<p>snake_case_name 2*3*4 a * b * c</p>"


def test_headings_are_bold_paragraphs() -> None:
    assert plain("## Result ##\ntext") == "<p><strong>Result</strong></p><p>text</p>"


def test_lists() -> None:
    assert plain("- a\n  more\n- b\n  - c\n  - d\n\n- e") == (
        "<ul><li>a more</li><li>b<ul><li>c</li><li>d</li></ul></li><li>e</li></ul>"
    )
    assert plain("3. a\n4. b\n- c") == '<ol start="3"><li>a</li><li>b</li></ol><ul><li>c</li></ul>'


def test_code_is_left_alone() -> None:
    assert plain("```python\nif a < b:\n    **x**\n```\nafter") == ("<pre>if a &lt; b:\n    **x**</pre><p>after</p>")
    assert plain("```\nnever closed") == "<pre>never closed</pre>"


def test_tables() -> None:
    assert plain("| a | b |\n|:--|--:|\n| 1 | **2** |\nafter") == (
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table><p>after</p>"
    )


def test_quotes_and_rules() -> None:
    assert plain("> a\n> b\n\n---") == "<blockquote>a<br>b</blockquote><hr>"


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "**<img src=x onerror=alert(1)>**",
        "`</code><script>`",
        "```\n</pre><script>\n```",
        "- <svg onload=x>\n  - </li><script>",
        "| <b onclick=x> |\n|---|\n| </table><script> |",
        "> </blockquote><iframe>",
        "# <h1 onmouseover=x>",
        "[click](javascript:alert(1)) ![x](http://example.org/?q=secret)",
    ],
)
def test_nothing_in_it_is_markup(attack: str) -> None:
    ours = "p|br|strong|em|code|pre|ul|ol|li|table|thead|tbody|tr|th|td|blockquote|hr"
    assert re.sub(rf"</?(?:{ours})>", "", plain(attack)).count("<") == 0


def test_links_and_images_load_nothing() -> None:
    shown = markdown_html("[a](http://example.org) ![b](http://example.org/c.png)")
    assert "<a" not in shown
    assert "<img" not in shown


@pytest.mark.parametrize(
    "sign", ["*", "`", "_", "**a", "_a", "`a", "|", "- ", "# ", " ", "\n", "> ", "\n- a", "|-", "~~~\n", "*a ", "\\"]
)
def test_hostile_repetition_takes_no_time(sign: str) -> None:
    started = time.perf_counter()
    markdown_html(sign * 20_000)
    markdown_html("".join([f"{' ' * i}- a\n" for i in range(0, 2000, 3)]))
    assert time.perf_counter() - started < 5
