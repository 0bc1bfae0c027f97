import { fileURLToPath } from 'node:url';

// What is installed beside this folder is part of the app.
const root = fileURLToPath(new URL('..', import.meta.url));

export default { output: 'standalone', outputFileTracingRoot: root, turbopack: { root } };
