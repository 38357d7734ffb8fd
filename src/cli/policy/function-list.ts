/** Prints the manual of functions. */
import { MANUAL } from '../../expressions/function-manual.ts';

export const functionsManual = (): string =>
  `${Object.values(MANUAL)
    .map(({ usage, help, examples }) =>
      [
        usage,
        `  ${help}`,
        ...examples.map(([expression, value]) => `    ${expression}  ${value === undefined ? 'fails' : shown(value)}`),
      ].join('\n'),
    )
    .join('\n\n')}\n\nThe examples run at 2026-11-21T12:00:00Z. Other functions are as in CEL: https://cel.dev`;

const shown = (value: string | number | boolean) => `is ${JSON.stringify(value)}`;
