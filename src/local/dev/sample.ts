/** Sample people for a local Gatehouse. */
import { SAMPLE_RECORDS } from '../../desk/samples.ts';
import { SAMPLE_CREDENTIALS } from '../../platform/credential-settings.ts';

/** Saves the sample people over HTTP. Running it again changes nothing. */
export async function seedPeople(url: string): Promise<void> {
  for (const [key, record] of Object.entries(SAMPLE_RECORDS)) {
    const answer = await fetch(`${url}/admin/people/${encodeURIComponent(key)}`, {
      method: 'PUT',
      headers: { Authorization: `Basic ${btoa(SAMPLE_CREDENTIALS.admin)}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(record),
    });
    if (!answer.ok) throw new Error(`The sample person could not be saved: ${answer.status} ${await answer.text()}`);
  }
}
