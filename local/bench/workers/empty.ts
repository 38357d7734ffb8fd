/** A Worker that does nothing: what starting workerd costs before anybody's code. */
export default { fetch: () => new Response() };
