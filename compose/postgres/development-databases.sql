-- The databases and roles that the daemons' .env.example files name, with the passwords published there: for a
-- PostgreSQL that only this machine reaches.
create role auth login password 'auth';
create database auth owner auth;
create role jobs login password 'jobs';
create database jobs owner jobs;
create role products login password 'products';
create database products owner products;
