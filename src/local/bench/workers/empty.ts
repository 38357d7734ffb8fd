/** A Worker that only returns the expected reply: the baseline of starts. */
const REPLY = '{"version":"1.0.0","action":"Continue","extension_Roles":"editor approver"}';

export default { fetch: () => new Response(REPLY) };
