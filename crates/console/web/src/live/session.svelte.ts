import { api, Refused } from '../api/client';
import type { User } from '../api/types';

type State = 'asking' | 'unreachable' | 'setup' | 'signed_out' | 'signed_in';

/** Who is at this tablet. */
class Session {
  state = $state<State>('asking');
  user = $state<User | null>(null);
  /** The session ended without anybody at this tablet asking for it. */
  ended = $state(false);

  /** Asks the server who this is; a house without accounts is set up first. */
  async ask(): Promise<void> {
    try {
      this.user = await api.session();
      this.state = 'signed_in';
      this.ended = false;
    } catch (error) {
      await this.notKnown(error);
    }
  }

  async signIn(name: string, password: string): Promise<void> {
    await api.signIn(name, password);
    await this.ask();
  }

  async setUp(name: string, password: string): Promise<void> {
    await api.setUp(name, password);
    await this.ask();
  }

  async signOut(): Promise<void> {
    await api.signOut();
    this.user = null;
    this.ended = false;
    this.state = 'signed_out';
  }

  private async notKnown(error: unknown): Promise<void> {
    if (!(error instanceof Refused) || error.status !== 401) {
      // A tablet that has been watching keeps its board: the stream says that the connection is lost.
      if (this.state !== 'signed_in') this.state = 'unreachable';
      return;
    }
    this.ended = this.state === 'signed_in';
    this.user = null;
    const setup = await api.setupNeeded().catch(() => null);
    this.state = setup?.needed ? 'setup' : 'signed_out';
  }
}

export const session = new Session();
