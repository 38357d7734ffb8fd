/** Reads the names that the policy in force gives to applications. */
import { sql } from 'drizzle-orm';
import type { Database } from '../../../database/connect.ts';
import type { RunQuery } from '../../../database/run-query.ts';
import { policyVersions } from '../../../database/schema.ts';
import { clientIdOf } from '../../../sign-in/normal-form.ts';

/** Names by client id, as attempts have it. Empty without a stored policy. */
export async function applicationNames(db: Database, run: RunQuery): Promise<ReadonlyMap<string, string>> {
  const { rows } = await run(
    db.execute<{ applications: unknown }>(sql`
      select ${policyVersions.document} -> 'applications' as applications from ${policyVersions}
      where ${policyVersions.use} = 'active' order by ${policyVersions.number} desc limit 1`),
  );
  return namesOfApplications(rows[0]?.applications);
}

/** The names in the member `applications` of a document. */
export function namesOfApplications(applications: unknown): ReadonlyMap<string, string> {
  if (typeof applications !== 'object' || applications === null) return new Map();
  // `onlyThese` is true or false.
  return new Map(
    Object.entries(applications).flatMap(([clientId, name]: [string, unknown]) =>
      typeof name === 'string' ? [[clientIdOf(clientId), name] as const] : [],
    ),
  );
}
