export interface Notice {
  id: number;
  text: string;
  kind: 'done' | 'news' | 'fault';
}

const SHOWN_MS = 7000;

/** Short words about what just happened; they pass by themselves and are read out. */
class Notices {
  all = $state.raw<readonly Notice[]>([]);
  private count = 0;

  say(text: string, kind: Notice['kind'] = 'done'): void {
    const notice = { id: ++this.count, text, kind };
    this.all = [...this.all.slice(-2), notice];
    setTimeout(() => this.drop(notice.id), SHOWN_MS);
  }

  drop(id: number): void {
    this.all = this.all.filter((notice) => notice.id !== id);
  }
}

export const notices = new Notices();
