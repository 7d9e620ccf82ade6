// The Anthropic SDK against a data plane: node anthropic.mjs BASE_URL KEY

import assert from 'node:assert/strict';
import { ARGUMENTS, CALL, SAID, SAYS, SCHEMA, WRONG_KEY, baseUrl, fails, key, load } from './sdk.mjs';

const { Anthropic } = await load('@anthropic-ai/sdk');
const client = new Anthropic({ baseURL: baseUrl, apiKey: key, maxRetries: 0 });
const said = (content) => ({ model: 'claude-opus-4-8', max_tokens: 200, messages: [{ role: 'user', content }] });
const whole = (request) => client.messages.create(request);
const streamed = (request) => client.messages.stream(request).finalMessage();
const tools = [{ name: 'weather', description: '…', input_schema: SCHEMA }];

for (const create of [whole, streamed]) {
  const answer = await create(said(SAYS));
  assert.equal(answer.content[0].text, SAID);
  assert.ok(answer.usage.output_tokens > 0);

  const called = await create({ ...said(CALL), tools });
  const use = called.content.find((block) => block.type === 'tool_use');
  assert.deepEqual(use.input, ARGUMENTS);
  assert.equal(called.stop_reason, 'tool_use');
  const messages = [
    ...said(CALL).messages,
    { role: 'assistant', content: called.content },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'sunny' }] },
  ];
  const final = await create({ ...said(CALL), messages, tools });
  assert.equal(final.content[0].text, 'You said: sunny');
}

const { model, messages } = said(SAYS);
assert.ok((await client.messages.countTokens({ model, messages })).input_tokens > 0);
const models = await client.models.list();
assert.ok(models.data.some((known) => known.id === model));

await fails(() => streamed(said('[[fake status=529]]')), (error) => error.status === 529);
const wrong = new Anthropic({ baseURL: baseUrl, apiKey: WRONG_KEY, maxRetries: 0 });
await fails(
  () => wrong.messages.create(said(SAYS)),
  (error) => error.status === 401 && error.message.includes('Invalid API key'),
);
console.log('ok');
