"""The local portal in a real browser: Debian's chromium, driven by Playwright.

axe.min.js is axe-core 4.14.1 (MPL-2.0, axe.LICENSE), as its npm package has it.
"""
