'use client';

import { useChat } from '@ai-sdk/react';
import { type SubmitEvent, useState } from 'react';

export default function Chat() {
  const { messages, sendMessage, regenerate, stop, status, error } = useChat();
  const [question, setQuestion] = useState('');
  const isAnswering = status === 'submitted' || status === 'streaming';

  function ask(event: SubmitEvent) {
    event.preventDefault();
    sendMessage({ text: question });
    setQuestion('');
  }

  return (
    <main>
      {messages.map(({ id, role, parts }) => (
        <article key={id} className={role}>
          {parts.map(part => (part.type === 'text' ? part.text : ''))}
        </article>
      ))}
      {error && <p role="alert">That went wrong.</p>}
      <form onSubmit={ask}>
        <input
          aria-label="Your question"
          autoComplete="off"
          required
          value={question}
          onChange={event => setQuestion(event.target.value)}
        />
        <button type="submit" disabled={isAnswering}>
          Ask
        </button>
        <button type="button" disabled={!isAnswering} onClick={stop}>
          Stop
        </button>
        <button type="button" disabled={isAnswering || messages.length === 0} onClick={() => regenerate()}>
          Again
        </button>
      </form>
    </main>
  );
}
