// The SDKs that ./test installed below target/, and what the scripts share.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.PENSTOCK_TEST_NODE}/package.json`);

/** A package by its name. */
export const load = (name) => import(pathToFileURL(require.resolve(name)));

/** What a data plane and a key are called on the command line. */
export const [baseUrl, key] = process.argv.slice(2);

export const WRONG_KEY = 'psk_this_key_is_not_known_here_0123456789';
export const SAYS = 'Tell me something.';
export const SAID = 'You said: Tell me something.';
/** Makes the fake provider call the tool with ARGUMENTS. */
export const CALL = `[[fake tool=weather tool-input='{"place":"here"}']]`;
export const ARGUMENTS = { place: 'here' };
export const SCHEMA = { type: 'object', properties: {} };

/** Everything of an async iterable. */
export async function all(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Fails with this error, for which `check` holds. */
export async function fails(call, check) {
  await assert.rejects(call, (error) => {
    assert.ok(check(error), `${error.status} ${error.message}`);
    return true;
  });
}
