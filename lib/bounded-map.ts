// SPDX-License-Identifier: Apache-2.0
// What is kept for later calls, but not without end.

/** The value of a key, made where there is none; of more than `most` values the oldest goes. */
export function keptIn<Key, Value>(map: Map<Key, Value>, key: Key, most: number, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    const [oldest] = map.keys();
    if (map.size >= most && oldest !== undefined) map.delete(oldest);
    map.set(key, value);
  }
  return value;
}
