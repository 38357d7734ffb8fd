/** The gate answers most addresses that do not exist, and the desk those below its own. Both say the same. */
export const NO_SUCH_ADDRESS = 'This address does not exist. src/desk/README.md lists every address.';
