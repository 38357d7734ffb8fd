/** Is it up, and is everything behind it up. */
import { factory } from '../context.ts';

export const health = factory.createApp().get('/', (c) => c.json({ status: 'ok' }));
