mod forged;
mod net;
mod refusals;
mod swaps;
mod token;
