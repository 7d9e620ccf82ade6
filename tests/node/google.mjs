// Google's Gen AI SDK against a data plane: node google.mjs BASE_URL KEY

import assert from 'node:assert/strict';
import { ARGUMENTS, CALL, SAID, SAYS, SCHEMA, WRONG_KEY, all, baseUrl, fails, key, load } from './sdk.mjs';

const { GoogleGenAI } = await load('@google/genai');
const connect = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });
const client = connect(key);
const model = 'gemini-2.5-flash';
const config = { tools: [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: SCHEMA }] }] };
const parts = (answer) => answer.candidates[0].content.parts;

async function whole(request) {
  return client.models.generateContent({ model, ...request });
}

/** The pieces in one: the last one's usage, all parts. */
async function streamed(request) {
  const pieces = await all(await client.models.generateContentStream({ model, ...request }));
  const last = pieces.at(-1);
  last.candidates[0].content.parts = pieces.flatMap(parts);
  return last;
}

for (const generate of [whole, streamed]) {
  const answer = await generate({ contents: SAYS });
  assert.equal(parts(answer).map((part) => part.text).join(''), SAID);
  assert.ok(answer.usageMetadata.candidatesTokenCount > 0);

  const called = await generate({ contents: CALL, config });
  const { functionCall } = parts(called)[0];
  assert.equal(functionCall.name, 'weather');
  assert.deepEqual(functionCall.args, ARGUMENTS);
  const contents = [
    { role: 'user', parts: [{ text: CALL }] },
    called.candidates[0].content,
    { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { result: 'sunny' } } }] },
  ];
  const final = await generate({ contents, config });
  assert.ok(parts(final).map((part) => part.text).join('').includes('sunny'), JSON.stringify(final));
}

assert.ok((await client.models.countTokens({ model, contents: SAYS })).totalTokens > 0);
const models = await all(await client.models.list());
assert.ok(models.some((known) => known.name === `models/${model}`));

// In the middle of a stream, with a frame that says so.
await fails(() => streamed({ contents: '[[fake error=1 status=500]]' }), (error) => error.status === 500);
await fails(() => whole({ contents: '[[fake status=503]]' }), (error) => error.status === 503);
await fails(
  () => connect(WRONG_KEY).models.generateContent({ model, contents: SAYS }),
  (error) => error.status === 401 && error.message.includes('Invalid API key'),
);
console.log('ok');
