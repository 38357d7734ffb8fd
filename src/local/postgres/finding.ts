/** The result of a check. */
export interface Finding {
  readonly claim: string;
  readonly holds: boolean;
  readonly detail: string;
}

export const finding = (claim: string, holds: boolean, detail: string): Finding => ({ claim, holds, detail });

export function findingLine({ claim, holds, detail }: Finding): string {
  return `  ${holds ? 'ok    ' : 'FAILED'}  ${claim.padEnd(60)}  ${detail}`;
}
