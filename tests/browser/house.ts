// A running house: `deploy/demo`, started as a newcomer would and stopped with Ctrl-C.

import { spawn, type ChildProcess } from 'node:child_process'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, type Browser, type Page } from '@playwright/test'

const ROOT = resolve(import.meta.dirname, '../..')
export const SHOTS = resolve(ROOT, 'target/browser/screenshots')

export const WIDE = { width: 1280, height: 800 }
export const TALL = { width: 800, height: 1280 }

export class House {
  private constructor(
    private readonly demo: ChildProcess,
    readonly address: string,
  ) {}

  /** Starts the demonstration on a free port and waits until it says where to look. */
  static async open(): Promise<House> {
    const demo = spawn(resolve(ROOT, 'deploy/demo'), {
      env: { ...process.env, TIDEWATCH_DEMO_PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    for await (const line of createInterface({ input: demo.stdout! })) {
      const address = /Tidewatch is up: (http:\S+)/.exec(line)?.[1]
      if (address) {
        demo.stdout!.resume()
        return new House(demo, address)
      }
    }
    throw new Error('deploy/demo ended before it was up')
  }

  /** Ctrl-C: the terminal sends it to the whole group. */
  async close(): Promise<number | null> {
    if (this.demo.exitCode !== null) return this.demo.exitCode
    const ended = new Promise<number | null>((done) => this.demo.once('exit', done))
    process.kill(-this.demo.pid!, 'SIGINT')
    return ended
  }

  /** A tablet with somebody signed in and the sound unlocked, on the board. */
  async tablet(browser: Browser, name: string, viewport: typeof WIDE): Promise<Page> {
    const context = await browser.newContext({ viewport, colorScheme: 'light' })
    const page = await context.newPage()
    await page.goto(this.address)
    await page.getByTestId('sign-in-name').fill(name)
    await page.getByTestId('sign-in-password').fill('demo-tidewatch')
    await page.getByTestId('sign-in-submit').click()
    await expect(page.getByTestId('board')).toBeVisible()
    return page
  }
}

/** A picture of the page, for people to judge. */
export async function picture(page: Page, name: string): Promise<void> {
  const { width, height } = page.viewportSize()!
  await page.screenshot({ path: `${SHOTS}/${name}-${width}x${height}.png` })
}
