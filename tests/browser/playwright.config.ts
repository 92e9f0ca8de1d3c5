import { defineConfig } from '@playwright/test'

// Debian's Chromium, not a browser that Playwright would download.
export default defineConfig({
  testDir: '.',
  outputDir: '../../target/browser/results',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 9 * 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
})
