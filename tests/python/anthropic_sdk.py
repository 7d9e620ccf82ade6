"""The Anthropic SDK against a data plane: python anthropic_sdk.py BASE_URL KEY."""

import sys

import anthropic

base_url, key = sys.argv[1:]
client = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0)


def said(text):
    return dict(model="claude-opus-4-8", max_tokens=200, messages=[{"role": "user", "content": text}])


ask = said("Tell me something.")
answer = client.messages.create(**ask)
assert answer.content[0].text == "You said: Tell me something.", answer
assert answer.usage.output_tokens > 0, answer

with client.messages.stream(**ask) as stream:
    text = "".join(stream.text_stream)
    final = stream.get_final_message()
assert text == "You said: Tell me something." and final.stop_reason == "end_turn", final

tools = [{"name": "weather", "description": "…", "input_schema": {"type": "object", "properties": {}}}]
call = said("""[[fake tool=weather tool-input='{"place":"here"}']]""")


def stream_of(**request):
    with client.messages.stream(**request) as stream:
        return stream.get_final_message()


for create in (client.messages.create, stream_of):
    final = create(**call, tools=tools)
    used = [block for block in final.content if block.type == "tool_use"]
    assert len(used) == 1 and used[0].input == {"place": "here"} and final.stop_reason == "tool_use", final
    result = {"type": "tool_result", "tool_use_id": used[0].id, "content": "sunny"}
    turn = [
        *call["messages"],
        {"role": "assistant", "content": [block.to_dict() for block in final.content]},
        {"role": "user", "content": [result]},
    ]
    final = create(**{**call, "messages": turn}, tools=tools)
    assert final.content[0].text == "You said: sunny", final

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
    stream_of(**said("[[fake status=529]]"))
    raise SystemExit("an overloaded provider gave an answer")
except anthropic.APIStatusError as error:
    assert error.status_code == 529, error

print("ok")
