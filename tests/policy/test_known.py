"""A rule that names what is not there, or that could only loosen, is refused with its line."""

import pytest
from tests.policy.policies import layers

from assent.core.errors import ConfigError
from assent.policy.known import Known, check, strange_agent, strange_glob

TOOLS = {
    "pay": Known("execute_safe", frozenset({"amount", "to"})),
    "fetch": Known("read_only", frozenset({"url"})),
    "python": Known("execute_risky", None),
}


def checked(workspace: str = "", **others: str) -> None:
    check(layers(workspace, **others), TOOLS, lambda: {"old"})


def refused(workspace: str = "", **others: str) -> str:
    with pytest.raises(ConfigError) as raised:
        checked(workspace, **others)
    return str(raised.value)


def test_a_tool_that_is_misspelt_is_refused_with_what_was_meant() -> None:
    said = refused('[[rule]]\nmode = "ask"\ntool = "pya"')
    assert said == "/workspace.toml:3: unknown tool 'pya'; did you mean 'pay'?"


def test_a_tool_that_is_to_come_is_refused_with_what_to_do() -> None:
    said = refused('[[rule]]\ntool = "transfer"\nmode = "ask"')
    assert said.endswith("there are fetch, old, pay, python. Run the cell that defines it first.")


def test_a_tool_of_the_workspace_that_is_not_in_this_session_may_be_named() -> None:
    checked('[[rule]]\ntool = "old"\nmode = "ask"')


def test_the_organisation_may_name_what_is_elsewhere() -> None:
    checked(organisation='[[rule]]\ntool = "transfer"\nmode = "ask"\nagent = "nobody"\n[agents.x]\nceiling = "admin"')


def test_an_agent_may_be_defined_later() -> None:
    checked('[[rule]]\ntool = "pay"\nmode = "ask"\nagent = "intern"\n[agents.intern]\nceiling = "admin"')


def test_an_agent_that_is_not_there_is_told_with_what_was_meant() -> None:
    agents = {"analyst", "trader"}
    assert strange_agent("tradr", agents) == "there is no agent 'tradr' yet; did you mean 'trader'?"
    assert "the line counts once %agent new has defined it" in strange_agent("intern", agents)
    assert [strange_agent(name, agents) for name in ("", "trader", "tr*")] == ["", "", ""]


def test_other_sections_may_not_name_tools_that_are_not_there_either() -> None:
    text = '[[risk]]\ntool = "pya"\ncheck = "rate"\nlimit = 1\nseconds = 5\n'
    assert refused(text).startswith("/workspace.toml:2: unknown tool 'pya'; did you mean 'pay'?")


def test_an_argument_that_the_tool_does_not_have_is_refused() -> None:
    said = refused('[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amout > 5"')
    assert said == "/workspace.toml:4: pay has no argument 'amout'; did you mean 'amount'?"
    assert "write url.host" in refused('[[rule]]\ntool = "fetch"\nmode = "ask"\nwhen = \'host == "a.b"\'')
    checked('[[rule]]\ntool = "fetch"\nmode = "ask"\nwhen = \'url.host == "a.b"\'')
    checked('[[rule]]\ntool = "python"\nmode = "ask"\nwhen = "anything == 1"')


def test_an_argument_that_no_tool_of_a_glob_has_is_refused() -> None:
    tools = {"mail_send": Known("admin", frozenset({"to", "text"})), "mail_drop": Known("admin", frozenset({"id"}))}

    def check_with(text: str, elsewhere: set[str], **more: Known) -> None:
        check(layers(text), {**tools, **more}, lambda: elsewhere)

    rule = '[[rule]]\ntools = "mail_*"\nmode = "ask"\nwhen = "{} == \'a\'"'
    limit = '[[risk]]\ntools = "mail_*"\ncheck = "blacklist"\nargument = "{}"\nnames = ["a"]'
    for text, line in ((rule, 4), (limit, 4)):
        check_with(text.format("to"), set())
        with pytest.raises(ConfigError) as raised:
            check_with(text.format("txt"), {"old", "mail_send"})
        said = "no tool that 'mail_*' names has an argument 'txt'; did you mean 'text'?"
        assert str(raised.value) == f"/workspace.toml:{line}: {said}"
        with pytest.raises(
            ConfigError, match=r"there are id, text, to\. If a tool that has it is to come, run the cell"
        ):
            check_with(text.format("amount"), set())
        check_with(text.format("amount"), {"mail_pay"})  # that one is not here: nobody knows
        check_with(text.format("amount"), set(), mail_any=Known("admin", None))
        check_with(text.replace("mail_*", "fax_*").format("amount"), set())


def test_a_glob_that_is_no_tool_s_yet_is_told() -> None:
    assert strange_glob("mail_*", {"pay"}).startswith("no tool is called 'mail_*' yet: the line counts, and its")
    assert [strange_glob(name, {"pay"}) for name in ("pa*", "*", "fetch", "")] == ["", "", "", ""]


def test_auto_for_what_asks_by_its_privilege_is_refused() -> None:
    said = refused('[[rule]]\ntool = "python"\nmode = "auto"')
    assert said.startswith("/workspace.toml:3: python is execute_risky, which asks whatever a policy says")


def test_auto_below_an_ask_is_refused() -> None:
    above = '\n[[rule]]\ntools = "p*"\nmode = "ask"'
    said = refused('[[rule]]\ntool = "pay"\nmode = "auto"\nwhen = "amount < 5"', organisation=above)
    assert said.startswith("/workspace.toml:3: this would loosen organisation's policy.toml:2, which asks for every")
    assert "policy.toml:1, which disables" in refused(
        '[[rule]]\ntools = "*"\nmode = "disabled"\n[[rule]]\ntool = "pay"\nmode = "ask"'
    )


def test_what_holds_for_other_calls_is_not_loosened() -> None:
    checked('[[rule]]\ntool = "pay"\nmode = "auto"', session='[[rule]]\ntool = "pay"\nmode = "ask"')
    below = '[[rule]]\ntool = "pay"\nmode = "auto"'
    for above in (
        '[[rule]]\ntool = "pay"\nmode = "ask"\nagent = "trader"',
        '[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "amount > 5"',
        '[[rule]]\ntool = "pay"\nmode = "ask"\nuser = "ben"',
        '[[rule]]\ntools = "f*"\nmode = "ask"',
    ):
        checked(below, organisation=above)


def test_an_argument_within_another_that_no_call_can_have_is_refused() -> None:
    def strange(path: str) -> tuple[str, list[str]] | None:
        if path == "order.amount" or "." not in path:
            return None
        return (path, ["order.amount"]) if path.startswith("order.") else (path, [])

    tools = {"pay": Known("execute_safe", frozenset({"order", "url"}), strange)}

    def said(text: str) -> str:
        with pytest.raises(ConfigError) as raised:
            check(layers(text), tools, set)
        return str(raised.value)

    rule = '[[rule]]\ntool = "pay"\nmode = "ask"\nwhen = "{}"'
    limit = '[[risk]]\ntool = "pay"\ncheck = "max_amount"\nlimit = 5\nargument = "{}"'
    check(layers(rule.format("order.amount > 5 and url.host in ['a.com']")), tools, set)
    check(layers(limit.format("order.amount")), tools, set)
    assert said(rule.format("order.amout > 5")) == (
        "/workspace.toml:4: pay has no argument 'order.amout'; did you mean 'order.amount'?"
    )
    assert said(rule.format("url.port > 5")).endswith("pay has no argument 'url.port': nothing is within url.")
    assert said(limit.format("order.amout")).startswith("/workspace.toml:5: pay has no argument 'order.amout'; did")
    assert "nothing is within url" in said(limit.format("url.host"))
