import { Auth, HTTPException } from '@langchain/langgraph-sdk/auth';

// Whoever comes with a token is the user of that name, and sees no thread but their own.
export const auth = new Auth()
  .authenticate(async request => {
    const [, user] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
    if (!user) throw new HTTPException(401, { message: 'Sign in first' });
    return { identity: user, permissions: [] };
  })
  .on('*', ({ value, user }) => {
    if (value.metadata) value.metadata.owner = user.identity;
    return { owner: user.identity };
  })
  .on('threads:create_run', ({ value, user }) => {
    for (const fields of [value.metadata, value.kwargs?.config?.configurable])
      for (const name of Object.keys(fields ?? {}))
        if (/^(customer|conversation|session)_?id$/i.test(name)) delete fields[name];
    return { owner: user.identity };
  });
