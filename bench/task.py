"""What both loops are asked to do: call one typed tool again and again, then answer."""

INSTRUCTIONS = "You are a careful shop assistant. Look every price up before you name it. Keep the answer short."
PROMPT = "What do 4 apples cost? Look it up as often as you like."
TOOL = "price"
ARGUMENTS = '{"item": "apples", "count": 4}'
ANSWER = "Four apples cost 12."
