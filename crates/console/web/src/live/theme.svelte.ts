export type Choice = 'auto' | 'day' | 'night';

const KEY = 'tidewatch.theme';
const order: readonly Choice[] = ['auto', 'day', 'night'];

/** Day or night: as the tablet has it, until somebody says otherwise. */
class Theme {
  choice = $state<Choice>('auto');
  dark = $state(false);
  private readonly system = matchMedia('(prefers-color-scheme: dark)');

  constructor() {
    const stored = localStorage.getItem(KEY);
    this.choice = order.find((choice) => choice === stored) ?? 'auto';
    this.system.addEventListener('change', () => this.apply());
    this.apply();
  }

  next(): void {
    this.choice = order[(order.indexOf(this.choice) + 1) % order.length] ?? 'auto';
    localStorage.setItem(KEY, this.choice);
    this.apply();
  }

  private apply(): void {
    this.dark = this.choice === 'night' || (this.choice === 'auto' && this.system.matches);
    document.documentElement.dataset.theme = this.dark ? 'night' : 'day';
  }
}

export const theme = new Theme();
