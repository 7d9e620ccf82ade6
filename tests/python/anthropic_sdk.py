"""The Anthropic SDK against a data plane: python anthropic_sdk.py BASE_URL KEY."""

import sys

import anthropic

base_url, key = sys.argv[1:]
client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)
ask = dict(model="claude-opus-4-8", max_tokens=200, messages=[{"role": "user", "content": "Tell me something."}])

answer = client.messages.create(**ask)
assert answer.content[0].text, answer
assert answer.usage.output_tokens > 0, answer

with client.messages.stream(**ask) as stream:
    text = "".join(stream.text_stream)
    final = stream.get_final_message()
assert text and final.stop_reason == "end_turn", final

tools = [{"name": "weather", "description": "…", "input_schema": {"type": "object", "properties": {}}}]
with client.messages.stream(**{**ask, "messages": [{"role": "user", "content": "[[fake tool=weather]]"}]}, tools=tools) as stream:
    final = stream.get_final_message()
assert any(block.type == "tool_use" for block in final.content), final

count = client.messages.count_tokens(model=ask["model"], messages=ask["messages"])
assert count.input_tokens > 0

models = [model.id for model in client.models.list()]
assert "claude-opus-4-8" in models, models

for wrong, kind in [("psk_this_key_is_not_known_here_0123456789", anthropic.AuthenticationError)]:
    try:
        anthropic.Anthropic(base_url=base_url, api_key=wrong, max_retries=0).messages.create(**ask)
        raise SystemExit("a wrong key was let in")
    except kind as error:
        assert "Invalid API key" in str(error), error

try:
    with client.messages.stream(**{**ask, "messages": [{"role": "user", "content": "[[fake status=529]]"}]}) as stream:
        stream.get_final_message()
    raise SystemExit("an overloaded provider gave an answer")
except anthropic.APIStatusError as error:
    assert error.status_code == 529, error

print("ok")
