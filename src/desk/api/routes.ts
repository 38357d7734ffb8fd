/**
 * The API description and its reference page. Neither needs a credential: they are the same for everyone, and hold
 * nothing of this Gatehouse's settings and data.
 */
import { newApp } from '../http/context.ts';
import { PAGE_HEADERS } from '../http/page.ts';

export const apiRoutes = newApp();

apiRoutes.get('/openapi.json', async (c) => {
  const { openApiDocument } = await import('./document.ts');
  return c.json(openApiDocument(), 200);
});

apiRoutes.get('/reference', async (c) => {
  const { referencePage } = await import('./reference.ts');
  return c.html(referencePage(), 200, PAGE_HEADERS);
});
