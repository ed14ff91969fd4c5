// A message of SNS counts by the certificate that SNS of its region has, and by none of another
// name.
#include "core/handle/handle.hpp"
#include "receipts_case.hpp"
#include "sim/webhooks/keys.hpp"
#include "sim/webhooks/signing.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace fanfare::test {
namespace {

using X509Certificate = Handle<X509, X509_free>;
using Bio = Handle<BIO, BIO_free>;

class SnsNames : public ReceiptsTest {
protected:
    SnsNames() { sim::make_key_pairs(keys); }

    /// A certificate of the key made out to `name`, from so many seconds on for a day.
    std::string certificate_of(const std::string& name, std::time_t from) const {
        const X509Certificate made{X509_new()};
        X509_set_version(made.get(), 2);
        ASN1_TIME_set(X509_getm_notBefore(made.get()), from);
        ASN1_TIME_set(X509_getm_notAfter(made.get()), from + 86'400);
        X509_set_pubkey(made.get(), keys.sns.get());
        auto* const subject = X509_get_subject_name(made.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
        X509_set_issuer_name(made.get(), subject);
        X509_sign(made.get(), keys.sns.get(), EVP_sha256());
        const Bio out{BIO_new(BIO_s_mem())};
        PEM_write_bio_X509(out.get(), made.get());
        char* data = nullptr;
        const auto size = BIO_get_mem_data(out.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }

    /// What becomes of a message of a topic in that region, signed with that certificate's key.
    std::string judge(const std::string& region, const std::string& name,
                      std::time_t from = vector_time - 3'600) const {
        const bool china = region.starts_with("cn-");
        const auto topic = fmt::format("arn:{}:sns:{}:1:t", china ? "aws-cn" : "aws", region);
        const auto at = sim::iso_time(vector_time * 1'000);
        const auto text = fmt::format(
            "Message\n{{}}\nMessageId\nm\nTimestamp\n{}\nTopicArn\n{}\nType\nNotification\n", at,
            topic);
        const auto body = fmt::format(
            R"({{"Type":"Notification","MessageId":"m","TopicArn":"{}","Message":"{{}}",)"
            R"("Timestamp":"{}","SignatureVersion":"2","Signature":"{}","SigningCertURL":)"
            R"("https://sns.{}.amazonaws.com{}/SimpleNotificationService-a.pem"}})",
            topic, at, base64(sim::sign(keys.sns, "sha256", text)), region, china ? ".cn" : "");
        const auto pem = certificate_of(name, from);
        const auto settings = account("ses", {}, {{"topic_arn", topic}});
        const auto receiver = make_receiver(settings, {"https://x.example", references});
        return why(receiver->receive(
            post("/", body), [&pem](const std::string&) { return &pem; }, vector_time));
    }

    sim::Keys keys;
};

TEST_F(SnsNames, AreTheOnesThatSnsHasInARegion) {
    for (const auto& [region, name] : std::vector<std::pair<const char*, const char*>>{
             {"us-east-1", "sns.amazonaws.com"},
             {"eu-west-1", "sns.eu-west-1.amazonaws.com"},
             {"eu-south-1", "sns-signing.eu-south-1.amazonaws.com"},
             {"us-gov-west-1", "sns-us-gov-west-1.amazonaws.com"},
             {"us-gov-east-1", "sns-us-gov-west-1.amazonaws.com"},
             {"cn-north-1", "sns-cn-north-1.amazonaws.com.cn"},
             {"cn-northwest-1", "sns-cn-northwest-1.amazonaws.com.cn"}}) {
        EXPECT_EQ(judge(region, name), "received") << region;
    }
}

TEST_F(SnsNames, AreNobodyElses) {
    for (const auto* const name :
         {"sns.s3.amazonaws.com", "sns.eu-west-1.amazonaws.com", "amazonaws.com",
          "s3.us-east-1.amazonaws.com", "sns.us-east-1.amazonaws.com.x.example",
          "sns.amazonaws.com.cn", "sns-signing.eu-south-1.amazonaws.com", "*.amazonaws.com",
          "*.us-east-1.amazonaws.com", "localhost", ""}) {
        EXPECT_EQ(judge("us-east-1", name), "forged") << name;
    }
    EXPECT_EQ(judge("cn-north-1", "sns.amazonaws.com"), "forged");
}

TEST_F(SnsNames, CountWhileTheCertificateIsInForce) {
    EXPECT_EQ(judge("us-east-1", "sns.amazonaws.com", vector_time + 1), "forged");
    EXPECT_EQ(judge("us-east-1", "sns.amazonaws.com", vector_time - 86'401), "forged");
    EXPECT_EQ(judge("us-east-1", "sns.amazonaws.com", vector_time - 86'399), "received");
}

}  // namespace
}  // namespace fanfare::test
