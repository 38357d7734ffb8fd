/**
 * The API description and its reference page. Neither needs a credential: they are the same for everyone, and hold
 * nothing of this Gatehouse's settings and data.
 */
import { newApp } from '../http/context.ts';

export const apiRoutes = newApp();

apiRoutes.get('/openapi.json', async (c) => {
  const { openApiDocument } = await import('./document.ts');
  return c.json(openApiDocument(), 200);
});
