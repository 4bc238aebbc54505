// SPDX-License-Identifier: Apache-2.0

/** What a rejected call throws. */
export interface Expected {
  readonly error: typeof RangeError | typeof TypeError;
  readonly code: string;
  /** Parts of the message: the argument, what was expected, what came. */
  readonly says: readonly string[];
}

/** One per code of the table of errors. */
export const errShape = (...says: string[]): Expected => ({ error: RangeError, code: 'ERR_SHAPE', says });
export const errDtype = (...says: string[]): Expected => ({ error: TypeError, code: 'ERR_DTYPE', says });
export const errRange = (...says: string[]): Expected => ({ error: RangeError, code: 'ERR_RANGE', says });
export const errBuffer = (...says: string[]): Expected => ({ error: RangeError, code: 'ERR_BUFFER', says });
export const errOption = (...says: string[]): Expected => ({ error: TypeError, code: 'ERR_OPTION', says });

/** Asserts the class, the code and the message of what a call throws. */
export function expectError(call: () => unknown, { error, code, says }: Expected): void {
  let thrown: unknown;
  try {
    call();
  } catch (caught) {
    thrown = caught;
  }
  expect(thrown).toBeInstanceOf(error);
  const { code: got, message } = thrown as Error & { code?: string };
  expect({ code: got, message }).toEqual({ code, message: expect.any(String) });
  for (const part of says) expect(message).toContain(part);
}
