-- The tables of the shop on MariaDB and MySQL. What is no primary key is in maria_keys.sql.
CREATE TABLE countries (id int NOT NULL PRIMARY KEY, code varchar(20) NOT NULL, name varchar(60) NOT NULL);
CREATE TABLE products (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, sku varchar(40) NOT NULL, name varchar(120) NOT NULL, price decimal(10,2) NOT NULL, description text NOT NULL);
CREATE TABLE customers (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, country_id int NOT NULL, email varchar(190) NOT NULL, first_name varchar(60) NOT NULL, last_name varchar(60) NOT NULL,
    phone varchar(30), street varchar(80), city varchar(60), postcode varchar(12), born_on date, created_at datetime NOT NULL);
CREATE TABLE orders (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id bigint NOT NULL, number varchar(20) NOT NULL, status varchar(12) NOT NULL, total decimal(10,2) NOT NULL,
    placed_at datetime NOT NULL, ship_name varchar(120) NOT NULL, ship_street varchar(80) NOT NULL, note text);
CREATE TABLE order_lines (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, order_id bigint NOT NULL, product_id bigint NOT NULL, line int NOT NULL, quantity int NOT NULL,
    price decimal(10,2) NOT NULL, gift_name varchar(120), gift_email varchar(190), note text);
CREATE TABLE events (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, customer_id bigint NOT NULL, at datetime NOT NULL, ip varchar(45) NOT NULL, payload json NOT NULL);
