"""Google's Gen AI SDK against a data plane: python google_sdk.py BASE_URL KEY."""

import sys

from google import genai
from google.genai import errors, types

base_url, key = sys.argv[1:]
client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base_url))
MODEL = "gemini-2.5-flash"
CALL = """[[fake tool=weather tool-input='{"place":"here"}']]"""


def whole(**request):
    return client.models.generate_content(model=MODEL, **request)


def streamed(**request):
    """The pieces in one: the last one's usage, all parts."""
    pieces = list(client.models.generate_content_stream(model=MODEL, **request))
    last = pieces[-1]
    last.candidates[0].content.parts = [part for piece in pieces for part in piece.candidates[0].content.parts]
    return last


weather = types.FunctionDeclaration(name="weather", parameters_json_schema={"type": "object", "properties": {}})
config = types.GenerateContentConfig(
    tools=[types.Tool(function_declarations=[weather])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)
for generate in (whole, streamed):
    answer = generate(contents="Tell me something.")
    assert answer.text == "You said: Tell me something.", answer
    assert answer.usage_metadata.candidates_token_count > 0, answer

    answer = generate(contents=CALL, config=config)
    call = answer.function_calls[0]
    assert call.name == "weather" and call.args == {"place": "here"}, answer
    result = types.Part.from_function_response(name="weather", response={"result": "sunny"})
    turn = [
        types.UserContent(parts=[types.Part(text=CALL)]),
        answer.candidates[0].content,
        types.UserContent(parts=[result]),
    ]
    answer = generate(contents=turn, config=config)
    assert "sunny" in answer.text, answer

count = client.models.count_tokens(model=MODEL, contents="Tell me something.")
assert count.total_tokens > 0, count

models = [model.name for model in client.models.list()]
assert f"models/{MODEL}" in models, models

# The first one breaks off in the middle of a stream, with a frame that says so.
for fails, code in (
    (lambda: streamed(contents="[[fake error=1 status=500]]"), 500),
    (lambda: whole(contents="[[fake status=503]]"), 503),
):
    try:
        fails()
        raise SystemExit("a broken provider gave an answer")
    except errors.APIError as error:
        assert error.code == code, error

try:
    wrong = genai.Client(api_key="psk_this_key_is_not_known_here_0123456789", http_options=types.HttpOptions(base_url=base_url))
    wrong.models.generate_content(model=MODEL, contents="hello")
    raise SystemExit("a wrong key was let in")
except errors.ClientError as error:
    assert "Invalid API key" in str(error), error

print("ok")
