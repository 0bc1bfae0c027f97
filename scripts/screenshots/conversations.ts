/** One turn of the sample: what the user said, and what was answered. */
export interface SampleTurn {
  user: string;
  answer?: string;
  model?: string;
  latencyMs?: number;
  firstTokenMs?: number;
  tokens?: [input: number, output: number];
  status?: 'complete' | 'error' | 'aborted' | 'abandoned';
  error?: string;
  tools?: string[];
  attachments?: { media_type?: string; filename?: string; url?: string }[];
}

export interface SampleConversation {
  user: string;
  customer: string;
  /** How long ago its last message was, in minutes. */
  minutesAgo: number;
  turns: SampleTurn[];
}

const QUERY_PLAN = `The filter is on \`lower(email)\`, and an index on \`email\` knows nothing of that. Index the expression:

\`\`\`sql
CREATE INDEX CONCURRENTLY accounts_by_lower_email
    ON accounts (lower(email));

ANALYZE accounts;
\`\`\`

\`CONCURRENTLY\` leaves writes alone while it is built. Afterwards the plan should read **Index Scan** instead of *Seq Scan*.`;

const COMPARISON = `Here is what changes, measured on your copy of the table (2.1 million rows):

| | before | after |
|---|--:|--:|
| planning | 0.3 ms | 0.4 ms |
| execution | 812 ms | 0.09 ms |
| buffers read | 41,203 | 4 |

1. The scan touches four pages instead of the whole table.
2. The index takes **46 MB**, about a tenth of the table.
3. Every insert pays for it: roughly 6 µs here.`;

const UNIQUE = `Yes, and I would: two accounts whose addresses differ only in case are nearly always one person.

- First look for those that are there: \`SELECT lower(email), count(*) … HAVING count(*) > 1\`.
- Merge or rename them.
- Then make the index \`UNIQUE\`; from then on the database says no by itself.`;

export const FEATURED: SampleConversation = {
  user: 'ada.lovelace',
  customer: 'analytical-engines',
  minutesAgo: 3,
  turns: [
    {
      user: 'Why does this take 800 ms? There is an index on email.\n```sql\nSELECT id, plan FROM accounts\n WHERE lower(email) = lower($1);\n```',
      answer: QUERY_PLAN,
      latencyMs: 3420,
      firstTokenMs: 610,
      tokens: [412, 168],
      attachments: [{ media_type: 'text/plain', filename: 'explain.txt' }],
    },
    {
      user: 'Draw me the plan as a diagram',
      answer: 'Let me lay it out from the bottom up: the index scan feeds',
      status: 'aborted',
      latencyMs: 2100,
      firstTokenMs: 890,
      tokens: [2310, 24],
    },
    {
      user: 'Never mind. Can you check on the staging copy what the index would bring?',
      answer: COMPARISON,
      latencyMs: 9870,
      firstTokenMs: 1240,
      tokens: [1894, 341],
      tools: ['list_tables', 'run_query', 'explain_plan'],
    },
    {
      user: 'Can it be unique at the same time?',
      answer: UNIQUE,
      latencyMs: 2890,
      firstTokenMs: 480,
      tokens: [2388, 143],
    },
    {
      user: 'Then run the migration on staging, please',
      answer: 'I have prepared the migration and started it.',
      status: 'error',
      error: 'TimeoutError: run_migration did not answer within 30 seconds',
      latencyMs: 31_200,
      firstTokenMs: 720,
      tokens: [2604, 61],
      tools: ['run_migration'],
    },
    {
      user: 'And now?',
      answer:
        'It went through the second time: the index is valid, and no duplicates were found. You can follow what was done in [the migration log](https://staging.example.com/migrations/2031).',
      latencyMs: 6340,
      firstTokenMs: 950,
      tokens: [2790, 52],
      tools: ['run_migration', 'check_index'],
    },
  ],
};

const says = (user: string, answer: string, more: Partial<SampleTurn> = {}): SampleTurn => ({ user, answer, ...more });

export const OTHERS: SampleConversation[] = [
  {
    user: 'grace.hopper',
    customer: 'harbour-logistics',
    minutesAgo: 0.2,
    turns: [
      says(
        'Where is container MSKU 204 881-7 now?',
        'It left Rotterdam this morning and is due in Bergen on Thursday.',
      ),
      says('Has customs cleared it?', 'Yes, at 07:42. The papers are attached to the shipment.', {
        tools: ['customs_status'],
      }),
    ],
  },
  {
    user: 'katherine.j',
    customer: 'northwind-air',
    minutesAgo: 14,
    turns: [
      says(
        'Rebook everyone of the cancelled 18:05 to Oslo onto the next flights with seats',
        'I found seats for 61 of 64 passengers.',
        {
          tools: ['search_flights', 'rebook'],
          model: 'claude-sonnet-4-5',
        },
      ),
      says('What about the other three?', 'The search service is not answering at the moment.', {
        status: 'error',
        error: 'APICallError: 503 Service Unavailable',
        model: 'claude-sonnet-4-5',
      }),
    ],
  },
  {
    user: 'mary.s',
    customer: 'riverside-clinic',
    minutesAgo: 42,
    turns: [
      says(
        'Summarise the attached guideline in five sentences for a patient leaflet',
        'Most people recover at home within ten days…',
        {
          attachments: [{ media_type: 'application/pdf', filename: 'guideline-2026.pdf' }],
          model: 'gpt-5',
        },
      ),
      says('Simpler words, please', 'You will most likely feel better within ten days…', { model: 'gpt-5' }),
      says('And in Norwegian', 'De fleste blir friske hjemme i løpet av ti dager…', { model: 'gpt-5' }),
    ],
  },
  {
    user: 'alan.m',
    customer: 'analytical-engines',
    minutesAgo: 95,
    turns: [
      says('Explain the halting problem to my nine-year-old', 'Imagine a robot that reads recipes…', {
        model: 'gemini-3-pro',
      }),
      says('Now with dinosaurs', 'Once upon a time there was a very careful dinosaur…', {
        model: 'gemini-3-pro',
        status: 'aborted',
      }),
    ],
  },
  {
    user: 'hedy.l',
    customer: 'signal-works',
    minutesAgo: 190,
    turns: [
      says(
        'Review this patch: frequency hopping in the pairing handshake',
        'Two things stand out. First, the seed is reused…',
        {
          attachments: [{ media_type: 'text/x-diff', filename: 'hopping.patch' }],
          model: 'claude-sonnet-4-5',
        },
      ),
      says('Fixed both, have another look', 'This reads well now. One nit in `channel.rs`…', { model: 'gpt-5-mini' }),
    ],
  },
  {
    user: 'grace.hopper',
    customer: 'harbour-logistics',
    minutesAgo: 60 * 22,
    turns: [says('Draft a polite reminder for the invoice of March', 'Dear Mr Amundsen, …')],
  },
  {
    user: 'emmy.n',
    customer: 'symmetry-books',
    minutesAgo: 60 * 25,
    turns: [
      says('Which of our backlist titles would suit a first-year algebra course?', 'Three stand out…', {
        tools: ['search_catalogue'],
      }),
      says('Make a table with prices', '| Title | Price |\n|---|--:|\n| Rings and Fields | 49.00 |', {
        tools: ['search_catalogue'],
      }),
      says('Add the ISBNs', '…', { tools: ['search_catalogue'] }),
    ],
  },
  {
    user: 'joan.c',
    customer: 'riverside-clinic',
    minutesAgo: 60 * 49,
    turns: [
      says('I need to move my appointment on Friday', 'Of course. Monday at 9:20 or Tuesday at 14:00?', {
        model: 'gpt-5',
      }),
      says('Tuesday', 'Done: Tuesday, 14:00.', { model: 'gpt-5', tools: ['reschedule'] }),
    ],
  },
  {
    user: 'radia.p',
    customer: 'signal-works',
    minutesAgo: 60 * 74,
    turns: [
      says('Write a poem about spanning trees', 'I think that I shall never see…', {
        status: 'abandoned',
        model: 'gemini-3-pro',
      }),
    ],
  },
];
