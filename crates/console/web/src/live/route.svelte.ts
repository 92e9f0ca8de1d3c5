export type Page = 'board' | 'alert' | 'person' | 'people' | 'accounts';

export interface Place {
  page: Page;
  /** An opaque id; a name is never part of an address. */
  id: string;
}

const pages: readonly string[] = ['alert', 'person', 'people', 'accounts'];

/** `#/alert/<id>` to a place; anything unknown is the board. */
export function placeOf(hash: string): Place {
  const [page = '', id = ''] = hash.replace(/^#\/?/, '').split('/');
  return pages.includes(page) ? { page: page as Page, id } : { page: 'board', id: '' };
}

class Route {
  place = $state.raw<Place>({ page: 'board', id: '' });

  constructor() {
    if (typeof location === 'undefined') return;
    this.place = placeOf(location.hash);
    addEventListener('hashchange', () => (this.place = placeOf(location.hash)));
  }

  go(page: Page, id = ''): void {
    location.hash = page === 'board' ? '/' : id ? `/${page}/${id}` : `/${page}`;
  }
}

export const route = new Route();
