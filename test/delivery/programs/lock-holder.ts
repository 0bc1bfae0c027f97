// Another process that keeps a SQLite file locked for so many milliseconds. It says so once it does.

import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const [path = '', ms = '0'] = process.argv.slice(2);
const db = new DatabaseSync(path);
db.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE');
writeSync(1, 'locked\n');
setTimeout(() => db.exec('COMMIT'), Number(ms));
