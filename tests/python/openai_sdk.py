"""The OpenAI SDK against a data plane, chat completions, Responses and embeddings: python openai_sdk.py BASE_URL KEY."""

import sys

import openai

base_url, key = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
MODEL = "gpt-5.5"
CALL = """[[fake tool=weather tool-input='{"place":"here"}']]"""


def user(text):
    return [{"role": "user", "content": text}]


def chat():
    ask = dict(model=MODEL, messages=user("Tell me something."))
    answer = client.chat.completions.create(**ask)
    assert answer.choices[0].message.content == "You said: Tell me something.", answer
    assert answer.usage.completion_tokens > 0, answer

    text = ""
    for chunk in client.chat.completions.create(**ask, stream=True):
        assert chunk.choices, "the usage chunk is only for callers who asked for it"
        assert chunk.usage is None, chunk
        text += chunk.choices[0].delta.content or ""
    assert text == "You said: Tell me something.", text

    usage = None
    for chunk in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage or usage
    assert usage and usage.completion_tokens > 0, usage

    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
    message = client.chat.completions.create(model=MODEL, messages=user(CALL), tools=tools).choices[0].message
    assert message.tool_calls[0].function.arguments == '{"place":"here"}', message
    with client.chat.completions.stream(model=MODEL, messages=user(CALL), tools=tools) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls[0].function.arguments == '{"place":"here"}', message
    call = message.tool_calls[0].model_dump(include={"id", "type", "function"})
    call["function"].pop("parsed_arguments", None)
    turn = [
        *user(CALL),
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny"},
    ]
    answer = client.chat.completions.create(model=MODEL, messages=turn, tools=tools)
    assert answer.choices[0].message.content == "You said: sunny", answer


def responses():
    ask = dict(model=MODEL, input="Tell me something.")
    answer = client.responses.create(**ask)
    assert answer.output_text == "You said: Tell me something.", answer
    assert answer.usage.output_tokens > 0, answer

    with client.responses.stream(**ask) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == "You said: Tell me something.", final

    tools = [{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}]

    def streamed(**request):
        with client.responses.stream(**request) as stream:
            return stream.get_final_response()

    for create in (client.responses.create, streamed):
        answer = create(model=MODEL, input=user(CALL), tools=tools)
        call = answer.output[-1]
        assert call.type == "function_call" and call.arguments == '{"place":"here"}', answer
        turn = [
            *user(CALL),
            {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments},
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
        ]
        answer = create(model=MODEL, input=turn, tools=tools)
        assert answer.output_text == "You said: sunny", answer


def others():
    vectors = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    assert len(vectors.data) == 2 and vectors.data[1].embedding[0] == 0.25, vectors

    models = [model.id for model in client.models.list()]
    assert MODEL in models, models

    try:
        client.responses.create(model=MODEL, input="[[fake status=429]]")
        raise SystemExit("an exhausted provider gave an answer")
    except openai.RateLimitError as error:
        assert error.status_code == 429, error

    try:
        openai.OpenAI(base_url=base_url, api_key="psk_this_key_is_not_known_here_0123456789", max_retries=0).models.list()
        raise SystemExit("a wrong key was let in")
    except openai.AuthenticationError as error:
        assert "Invalid API key" in str(error), error


chat()
responses()
others()
print("ok")
