/** Workers KV in memory, as far as the desk uses it, with failures on demand. */

export type Operation = 'get' | 'put' | 'delete' | 'list';
/** Result of an operation. `lost`: it succeeds, but its reply never arrives. Undefined: it succeeds. */
export type Fate = 'throws' | 'hangs' | 'busy' | 'lost' | undefined;

export interface MemoryKv {
  readonly kv: KVNamespace;
  readonly values: Map<string, string>;
  /** Every operation with its key (or prefix), in order. */
  readonly made: string[];
  /** Set it to make KV fail. */
  fate: (operation: Operation, key: string) => Fate;
}

export function memoryKv(): MemoryKv {
  const values = new Map<string, string>();
  const metadata = new Map<string, unknown>();
  const memory: MemoryKv = { kv: {} as KVNamespace, values, made: [], fate: () => undefined };

  async function operate<Value>(operation: Operation, key: string, work: () => Value): Promise<Value> {
    memory.made.push(`${operation} ${key}`);
    const fate = memory.fate(operation, key);
    if (fate === 'throws') throw new Error(`KV ${operation.toUpperCase()} failed: 500 Internal Server Error`);
    if (fate === 'busy') throw new Error(`KV ${operation.toUpperCase()} failed: 429 Too Many Requests`);
    if (fate === 'hangs') return new Promise<never>(() => undefined);
    const value = work();
    return fate === 'lost' ? new Promise<never>(() => undefined) : value;
  }

  const kv = {
    get: (keys: string | string[]) =>
      typeof keys === 'string'
        ? operate('get', keys, () => values.get(keys) ?? null)
        : operate('get', keys.join(), () => new Map(keys.map((key) => [key, values.get(key) ?? null]))),
    getWithMetadata: (key: string) =>
      operate('get', key, () => ({ value: values.get(key) ?? null, metadata: metadata.get(key) ?? null })),
    put: (key: string, value: string, options?: { metadata?: unknown }) =>
      operate('put', key, () => {
        values.set(key, value);
        metadata.set(key, options?.metadata);
      }),
    delete: (key: string) =>
      operate('delete', key, () => {
        values.delete(key);
      }),
    list: ({ prefix = '', limit = 1_000, cursor }: { prefix?: string; limit?: number; cursor?: string | null }) =>
      operate('list', prefix, () => {
        const names = [...values.keys()].filter((key) => key.startsWith(prefix) && key > (cursor ?? '')).sort();
        const keys = names.slice(0, limit).map((name) => ({ name, metadata: metadata.get(name) }));
        return { keys, list_complete: names.length <= limit, cursor: keys.at(-1)?.name ?? '' };
      }),
  };
  return Object.assign(memory, { kv: kv as unknown as KVNamespace });
}
