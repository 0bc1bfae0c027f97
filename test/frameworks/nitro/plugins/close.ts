import { recorder } from '../recorder';

export default defineNitroPlugin(nitroApp => {
  if (process.env.HOW === 'hook') nitroApp.hooks.hook('close', () => recorder?.close());
});
