/**
 * Ends with one sentence under a Node that cannot run this project. Plain JavaScript, because an older Node cannot read
 * TypeScript. Loaded before every program (`node --import`, package.json).
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

// `import.meta.main` came with 24.2 (https://nodejs.org/api/esm.html#importmetamain).
if (major < 24 || (major === 24 && minor < 2)) {
  console.error(
    `Gatehouse needs Node 24.2 or newer, and this is Node ${process.versions.node} (${process.execPath}). ` +
      'Run npm ci (without --omit=optional), which installs Node 24 for this project on Linux and Windows, or install Node 24 from https://nodejs.org.',
  );
  process.exit(1);
}
