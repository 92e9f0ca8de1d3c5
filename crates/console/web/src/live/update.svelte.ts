import { registerSW } from 'virtual:pwa-register';

/** A newer version of this app. It is loaded when somebody says so: a reload locks the sound again. */
class Update {
  ready = $state(false);
  private readonly activate = registerSW({ onNeedRefresh: () => (this.ready = true) });

  take(): void {
    void this.activate(true);
  }
}

export const update = new Update();
