/** Inputs of the erasure endpoints. */
import * as z from 'zod/mini';
import { strict } from '../../http/input-rules.ts';
import { erasureKey } from '../inputs.ts';

/** `shared`: an address or name that several accounts have used is erased for all of them. */
const choice = { shared: z.optional(z.enum(['yes', 'no'], 'not a choice. Write yes or no')) };
export const choiceOnly = strict(choice);
export const erasureKeyOnly = strict({ key: erasureKey });
export const keyAndChoice = strict({ key: erasureKey, ...choice });
