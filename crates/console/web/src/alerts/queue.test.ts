import { beforeEach, describe, expect, it } from 'vitest';
import { NOW } from '../testing';
import { ActQueue, type Act, type Shelf } from './queue';

class Memory implements Shelf {
  private readonly kept = new Map<string, string>();
  getItem = (key: string) => this.kept.get(key) ?? null;
  setItem = (key: string, value: string) => void this.kept.set(key, value);
  removeItem = (key: string) => void this.kept.delete(key);
  get text(): string {
    return [...this.kept.values()].join();
  }
}

const going: Act = { alert: 'a-1', user: 'u-1', at: NOW, kind: 'acknowledge' };
const calmed: Act = { alert: 'a-1', user: 'u-1', at: NOW + 9, kind: 'resolve', outcome: 'calmed' };

describe('acts that wait for the connection', () => {
  let shelf: Memory;

  beforeEach(() => (shelf = new Memory()));

  it('keep their order and their time across a reload', () => {
    new ActQueue(shelf).add(going);
    new ActQueue(shelf).add(calmed);
    expect(new ActQueue(shelf).of('u-1', NOW)).toEqual([going, calmed]);
  });

  it('count once when said twice, with the first time', () => {
    const queue = new ActQueue(shelf);
    queue.add(going);
    queue.add({ ...going, at: NOW + 5000 });
    expect(queue.all()).toEqual([going]);
  });

  it('are never sent in the name of somebody else', () => {
    const queue = new ActQueue(shelf);
    queue.add(going);
    expect(queue.of('u-2', NOW)).toEqual([]);
    expect(queue.of('u-1', NOW)).toEqual([going]);
  });

  it('are gone once they were heard, and after a day', () => {
    const queue = new ActQueue(shelf);
    queue.add(going);
    queue.add(calmed);
    queue.remove(going);
    expect(queue.all()).toEqual([calmed]);
    expect(queue.of('u-1', NOW + 25 * 3_600_000)).toEqual([]);
    expect(shelf.text).toBe('');
  });

  it.each(['', 'nonsense', '{}', '[null, 3, {"alert":1}]'])('survive a damaged shelf: %s', (damaged) => {
    shelf.setItem('tidewatch.acts', damaged);
    const queue = new ActQueue(shelf);
    expect(queue.all()).toEqual([]);
    queue.add(going);
    expect(queue.all()).toEqual([going]);
  });
});
