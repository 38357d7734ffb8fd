/** A Worker that does nothing but give the expected reply: what starting workerd and one call cost without any code. */
const REPLY = '{"version":"1.0.0","action":"Continue","extension_Roles":"editor approver"}';

export default { fetch: () => new Response(REPLY) };
