/** The tables in Postgres. `drizzle/` has the SQL that drizzle-kit generates from this file. */
export * from './schema/aggregate-tables.ts';
export * from './schema/message-tables.ts';
export * from './schema/policy-table.ts';
export * from './schema/user-tables.ts';
