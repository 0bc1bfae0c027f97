import { recorder } from '../recorder';

export default defineEventHandler(() => {
  const turn = recorder?.turn();
  turn?.user('Hi');
  turn?.complete({ content: 'Hello' });
  return 'Hello';
});
