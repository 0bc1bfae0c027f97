import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { close, listens, say, saySlowly } from './recorder.js';

class Chat {
  say() {
    return say();
  }
  slow() {
    return saySlowly();
  }
}
Controller()(Chat);
for (const [name, path] of [
  ['say', '/'],
  ['slow', '/slow'],
])
  Get(path)(Chat.prototype, name, Object.getOwnPropertyDescriptor(Chat.prototype, name));

class App {
  onApplicationShutdown() {
    return close();
  }
}
Module({ controllers: [Chat] })(App);

const app = await NestFactory.create(App, { logger: false });
app.enableShutdownHooks();
await app.listen(0);
listens(app.getHttpServer().address().port);
