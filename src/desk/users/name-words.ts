/**
 * The words of a name, as they are stored and searched for: without characters that are not seen, in lower case and
 * normal form C. Postgres converts both, so that both have one form in any locale.
 */
import { type SQL, sql } from 'drizzle-orm';

/** Characters that are not seen: marks of direction, joiners, soft hyphens, control characters. */
const UNSEEN = String.raw`[\u0001-\u0008\u000e-\u001f\u007f\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]`;
/** Phones write these for an apostrophe and a hyphen. */
const VARIANTS = [`‘’‛ʼʻ′´‐‑‒–—−`, `'''''''------`] as const;
/** A word begins after punctuation, too: Anna-Maria, O'Brien, "Bob". */
const WITHIN_WORD = '[!-/:-@[-`{-~«»“”„]+';
/** A longer word is found by its beginning. Postgres limits a word to 2,046 bytes. */
const MAX_WORD_CHARS = 50;

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Words with spaces between them. */
const normalSql = (name: SQL): SQL =>
  sql`lower(normalize(translate(regexp_replace(${name}, ${sql.raw(quoted(UNSEEN))}, '', 'g'), ${sql.raw(VARIANTS.map(quoted).join(', '))}), NFC) collate "default")`;

const truncated = (word: string) => sql.raw(`left(${word}, ${MAX_WORD_CHARS})`);
/** Postgres takes an array for ten elements and a set for a thousand: it would compile a merge for 40 ms. */
const splitSql = (text: SQL, at: SQL) => sql`unnest(regexp_split_to_array(${text}, ${at}))`;
const wordsSql = (name: SQL) => splitSql(normalSql(name), sql`'[\\s\\u00a0\\u3000]+'`);

/** A `tsvector` of the words of a name, and of the parts of each word. */
export const nameWordsSql = (name: SQL): SQL => sql`array_to_tsvector(array(
  select distinct ${truncated('part')} from ${wordsSql(name)} as word cross join lateral (
    select word as part union all select ${splitSql(sql`word`, sql.raw(quoted(WITHIN_WORD)))}
  ) as parts where part <> ''))`;

/** A `tsquery` for names in which, for each word of a typed text, a word begins with it. Every sign is literal. */
export const namedSql = (typed: string): SQL => sql`(
  select string_agg(format('''%s'':*', replace(replace(${truncated('word')}, '\\', '\\\\'), '''', '''''')), ' & ')::tsquery
  from ${wordsSql(sql`${typed}::text`)} as word where word <> '')`;
