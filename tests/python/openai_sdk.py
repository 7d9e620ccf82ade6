"""The OpenAI SDK against a data plane: python openai_sdk.py BASE_URL KEY."""

import sys

import openai

base_url, key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
ask = dict(model="gpt-5.5", messages=[{"role": "user", "content": "Tell me something."}])

answer = client.chat.completions.create(**ask)
assert answer.choices[0].message.content, answer
assert answer.usage.completion_tokens > 0, answer

text = ""
for chunk in client.chat.completions.create(**ask, stream=True):
    assert chunk.choices, "the usage chunk is only for callers who asked for it"
    assert chunk.usage is None, chunk
    text += chunk.choices[0].delta.content or ""
assert text

usage = None
for chunk in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
    usage = chunk.usage or usage
assert usage and usage.completion_tokens > 0, usage

tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
tool_ask = {**ask, "messages": [{"role": "user", "content": "[[fake tool=weather]]"}]}
answer = client.chat.completions.create(**tool_ask, tools=tools)
assert answer.choices[0].message.tool_calls, answer

models = [model.id for model in client.models.list()]
assert "gpt-5.5" in models, models

try:
    openai.OpenAI(base_url=base_url, api_key="psk_this_key_is_not_known_here_0123456789", max_retries=0).models.list()
    raise SystemExit("a wrong key was let in")
except openai.AuthenticationError as error:
    assert "Invalid API key" in str(error), error

print("ok")
