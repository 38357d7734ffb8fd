/** Logs contain no personal data. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorFields } from '../../../src/platform/log.ts';

describe('errorFields', () => {
  it('the fields never contain a line of the error message', () => {
    const secret = 'jane@example.com';
    const forged = fc.constantFrom(`at ${secret}`, `    at f (${secret}:1:1)`, `at ${secret}:12:3`, secret);
    const message = fc.array(fc.oneof(forged, fc.string()), { maxLength: 6 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(message, message, (own, inner) => {
        const fields = errorFields(new Error(`Failed query\n${own}`, { cause: new TypeError(inner) }));
        expect(JSON.stringify(fields)).not.toContain(secret);
        expect(fields.error).toBe('TypeError');
      }),
    );
  });

  it('the fields name the place of the throw and the error code', () => {
    const { at, code } = errorFields(Object.assign(new Error('x'), { code: '23514' }));
    expect(code).toBe('23514');
    expect(at).toMatch(/^at .*log\.test\.ts:\d+:\d+\)?$/);
  });

  it('a thrown value other than an Error is logged by its type only', () => {
    expect([errorFields('jane'), errorFields(null)]).toEqual([{ error: 'string' }, { error: 'object' }]);
  });
});
