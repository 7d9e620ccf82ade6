// The OpenAI SDK against a data plane, chat completions, Responses and embeddings: node openai.mjs BASE_URL KEY

import assert from 'node:assert/strict';
import { CALL, SAID, SAYS, SCHEMA, WRONG_KEY, all, baseUrl, fails, key, load } from './sdk.mjs';

const { OpenAI } = await load('openai');
const client = new OpenAI({ baseURL: baseUrl, apiKey: key, maxRetries: 0 });
const model = 'gpt-5.5';
const user = (content) => [{ role: 'user', content }];
const call = { type: 'function', name: 'weather', parameters: SCHEMA };
const argumentsJson = '{"place":"here"}';

async function chat() {
  const tools = [{ type: 'function', function: { name: 'weather', parameters: SCHEMA } }];
  const whole = async (request) => (await client.chat.completions.create(request)).choices[0].message;
  const streamed = async (request) => client.chat.completions.stream(request).finalMessage();
  for (const create of [whole, streamed]) {
    assert.equal((await create({ model, messages: user(SAYS) })).content, SAID);

    const { tool_calls } = await create({ model, messages: user(CALL), tools });
    assert.equal(tool_calls[0].function.arguments, argumentsJson);
    const messages = [
      ...user(CALL),
      { role: 'assistant', tool_calls: [{ id: tool_calls[0].id, type: 'function', function: tool_calls[0].function }] },
      { role: 'tool', tool_call_id: tool_calls[0].id, content: 'sunny' },
    ];
    assert.equal((await create({ model, messages, tools })).content, 'You said: sunny');
  }
  const chunks = await all(await client.chat.completions.create({ model, messages: user(SAYS), stream: true }));
  assert.ok(chunks.every((chunk) => chunk.choices.length > 0 && !chunk.usage), 'nobody asked for usage');
}

async function responses() {
  const tools = [{ ...call, strict: false }];
  const whole = (request) => client.responses.create(request);
  const streamed = (request) => client.responses.stream(request).finalResponse();
  for (const create of [whole, streamed]) {
    const answer = await create({ model, input: SAYS });
    assert.equal(answer.output_text, SAID);
    assert.ok(answer.usage.output_tokens > 0);

    const called = (await create({ model, input: user(CALL), tools })).output.at(-1);
    assert.equal(called.arguments, argumentsJson);
    const { call_id, name } = called;
    const input = [
      ...user(CALL),
      { type: 'function_call', call_id, name, arguments: argumentsJson },
      { type: 'function_call_output', call_id, output: 'sunny' },
    ];
    assert.equal((await create({ model, input, tools })).output_text, 'You said: sunny');
  }
}

async function others() {
  const vectors = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two'] });
  assert.equal(vectors.data[1].embedding[0], 0.25);
  const models = await client.models.list();
  assert.ok(models.data.some((known) => known.id === model));
  const exhausted = { model, input: '[[fake status=429]]' };
  await fails(() => client.responses.create(exhausted), (error) => error.status === 429);
  const wrong = new OpenAI({ baseURL: baseUrl, apiKey: WRONG_KEY, maxRetries: 0 });
  await fails(() => wrong.models.list(), (error) => error.status === 401);
}

await chat();
await responses();
await others();
console.log('ok');
