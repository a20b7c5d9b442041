variable "region" {
  type        = string
  description = "Region of the AMI and of all that is made."
}

variable "name" {
  type        = string
  description = "What all that is made is called."
}

variable "image_sha256" {
  type        = string
  description = "SHA-256 of the image, which its AMI is tagged with."

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.image_sha256))
    error_message = "64 hexadecimal digits, as `elfpack build` prints them."
  }
}

variable "image_port" {
  type        = number
  description = "Port that the image listens on."
}

variable "instance_type" {
  type        = string
  description = "A Nitro type: c5, m5, t3 or newer."
}

variable "vpc_id" {
  type        = string
  description = "The network."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets of two or more zones, for the balancer and the instances."
}

variable "client_security_groups" {
  type        = list(string)
  description = "Whoever is in these groups may ask; nobody else."
}

variable "certificate_arn" {
  type        = string
  default     = ""
  description = "ACM certificate of the balancer; empty: plain HTTP inside the network."
}

variable "min_size" {
  type    = number
  default = 2
}

variable "max_size" {
  type    = number
  default = 10
}

variable "cpu_percent" {
  type        = number
  default     = 60
  description = "Mean CPU load that instances are added above."
}

variable "requests_per_minute" {
  type        = number
  default     = 1000
  description = "Requests a minute and instance that instances are added above."
}
