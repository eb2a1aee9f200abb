"""The demo: everything Tickerdesk needs, started and watched by one command on one machine."""
