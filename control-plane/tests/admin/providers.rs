//! Providers: names, versions, credentials.

use super::*;

const CREDENTIAL: &str = "sk-ant-api03-very-secret-credential";

#[tokio::test]
async fn f01_a_credential_goes_in_and_never_comes_back() {
    let operator = Operator::start().await;
    let made = operator.create_provider("main", Some(CREDENTIAL)).await;
    assert_eq!(made.credential_hint, "sk-ant-a****tial");
    let listed = operator
        .provider_service()
        .list_providers(wire::ListProvidersRequest::default())
        .await;
    let listed = format!("{:?}", listed.unwrap().into_inner());
    let history = operator
        .config_service()
        .list_revisions(wire::ListRevisionsRequest::default())
        .await;
    let history = format!("{:?}", history.unwrap().into_inner());
    for text in [format!("{made:?}"), listed, history] {
        assert!(!text.contains("very-secret"), "{text}");
    }
    let database = std::fs::read(operator.folder.path().join("penstock.db")).unwrap();
    assert!(!database.windows(11).any(|bytes| bytes == b"very-secret"));
}

#[tokio::test]
async fn an_update_without_a_credential_keeps_it() {
    let operator = Operator::start().await;
    let made = operator.create_provider("main", Some(CREDENTIAL)).await;
    let updated = operator
        .update_provider(&made, |spec| spec.priority = 5)
        .await
        .unwrap();
    assert_eq!((updated.version, updated.spec.unwrap().priority), (2, 5));
    assert_eq!(updated.credential_hint, made.credential_hint);
}

#[tokio::test]
async fn f01_a_credential_is_not_sent_to_another_host_unless_the_operator_says_so() {
    let operator = Operator::start().await;
    let made = operator.create_provider("main", Some(CREDENTIAL)).await;
    let elsewhere = |spec: &mut config::ProviderSpec| spec.base_urls = vec!["https://evil.example".into()];
    let refused = operator.update_provider(&made, elsewhere).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    for part in ["spec.base_urls", "evil.example", "--keep-credential"] {
        assert!(refused.message().contains(part), "{part}: {}", refused.message());
    }
    let mut spec = made.spec.clone().unwrap();
    elsewhere(&mut spec);
    let request = wire::UpdateProviderRequest {
        provider: made.id.clone(),
        expected_version: made.version,
        spec: Some(spec),
        keep_credential: true,
        ..wire::UpdateProviderRequest::default()
    };
    let kept = operator.provider_service().update_provider(request).await;
    let kept = kept.unwrap().into_inner().provider.unwrap();
    assert_eq!(kept.credential_hint, made.credential_hint);
    let without = operator.create_provider("other", None).await;
    operator.update_provider(&without, elsewhere).await.unwrap();
}

#[tokio::test]
async fn f01_a_file_moves_a_provider_only_with_its_secret_in_it() {
    let operator = Operator::start().await;
    let declared = |url: &str, secret: &str| {
        let spec = config::ProviderSpec {
            kind: config::ProviderKind::Bedrock.into(),
            base_urls: vec![url.into()],
            ..provider("signed")
        };
        let keys = config::AwsKeys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: secret.into(),
            session_token: String::new(),
            region: "us-east-1".into(),
        };
        let credential = wire::credential_manifest::Credential::AwsKeys(keys);
        wire::ApplyManifestsRequest {
            manifests: vec![wire::Manifest {
                name: "signed".into(),
                spec: Some(wire::manifest::Spec::Provider(Box::new(wire::ProviderManifest {
                    spec: Some(spec),
                    credential: Some(wire::CredentialManifest {
                        credential: Some(credential),
                    }),
                    proxy_password: None,
                }))),
            }],
            ..Default::default()
        }
    };
    let applied = async |url: &str, secret: &str| {
        let request = declared(url, secret);
        let answer = operator.manifest_service().apply_manifests(request).await;
        answer.unwrap().into_inner()
    };
    let (here, there) = ("https://bedrock.example", "https://evil.example");
    assert_eq!(applied(here, "a-marked-secret").await.problems, []);
    // As an export has it: what signs stays where it is.
    assert_eq!(applied(here, "").await.problems, []);
    let moved = applied(there, "").await;
    let problem = format!("{:?}", moved.problems);
    for part in ["evil.example", "with its secret", "--keep-credential"] {
        assert!(problem.contains(part), "{part}: {problem}");
    }
    assert_eq!(moved.revision, 0);
    assert_eq!(applied(there, "a-marked-secret").await.problems, []);
}

#[tokio::test]
async fn g01_a_stale_update_is_aborted_and_names_who_was_faster() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", None).await;
    operator
        .update_provider(&read, |spec| spec.weight = 2)
        .await
        .unwrap();
    let status = operator
        .update_provider(&read, |spec| spec.weight = 3)
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    for part in ["\"main\"", "version 1", "version 2", "admin"] {
        assert!(status.message().contains(part), "{part}: {}", status.message());
    }
    assert_eq!(
        operator.get_provider("main").await.unwrap().spec.unwrap().weight,
        2
    );
}

#[tokio::test]
async fn a_provider_is_found_by_name_and_by_id() {
    let operator = Operator::start().await;
    let made = operator.create_provider("main", None).await;
    assert_eq!(operator.get_provider(&made.id).await.unwrap(), made);
    assert_eq!(operator.get_provider("main").await.unwrap(), made);
    let status = operator.get_provider("other").await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::NotFound, "provider \"other\" does not exist")
    );
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused() {
    let operator = Operator::start().await;
    operator.create_provider("main", None).await;
    let request = wire::CreateProviderRequest {
        new_credential: None,
        proxy_password: None,
        spec: Some(provider("main")),
        credential: None,
        change: None,
    };
    let answer = operator.provider_service().create_provider(request).await;
    assert!(refused(answer, Code::AlreadyExists).contains("\"main\""));
}

#[tokio::test]
async fn an_invalid_field_is_named_by_its_path_and_nothing_is_changed() {
    let operator = Operator::start().await;
    let head = operator.head().await;
    let request = wire::CreateProviderRequest {
        new_credential: None,
        proxy_password: None,
        spec: Some(config::ProviderSpec {
            base_urls: vec!["ftp://api.example".into()],
            ..provider("main")
        }),
        credential: None,
        change: None,
    };
    let answer = operator.provider_service().create_provider(request).await;
    let message = refused(answer, Code::InvalidArgument);
    assert!(message.starts_with("spec.base_urls[0]: "), "{message}");
    assert_eq!(operator.head().await, head);
}

#[tokio::test]
async fn a_deletion_at_a_stale_version_is_aborted_and_without_one_is_done() {
    let operator = Operator::start().await;
    let read = operator.create_provider("main", None).await;
    operator
        .update_provider(&read, |spec| spec.weight = 2)
        .await
        .unwrap();
    let request = |expected_version| wire::DeleteProviderRequest {
        provider: "main".into(),
        expected_version,
        change: None,
    };
    refused(
        operator.provider_service().delete_provider(request(1)).await,
        Code::Aborted,
    );
    operator
        .provider_service()
        .delete_provider(request(0))
        .await
        .unwrap();
    assert_eq!(
        operator.get_provider("main").await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn listings_are_ordered_by_name_and_cut_into_pages() {
    let operator = Operator::start().await;
    for name in ["c", "a", "b"] {
        operator.create_provider(name, None).await;
    }
    let mut names = Vec::new();
    let mut token = String::new();
    loop {
        let page = Some(wire::PageRequest {
            size: 2,
            token,
            ..wire::PageRequest::default()
        });
        let request = wire::ListProvidersRequest { page };
        let answer = operator
            .provider_service()
            .list_providers(request)
            .await
            .unwrap()
            .into_inner();
        names.extend(
            answer
                .providers
                .into_iter()
                .map(|provider| provider.spec.unwrap().name),
        );
        token = answer.page.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
}

/// A new provider behind this proxy, with this password for it.
async fn behind(operator: &Operator, proxy: &str, password: Option<&str>) -> Result<wire::Provider, Status> {
    let request = wire::CreateProviderRequest {
        new_credential: None,
        proxy_password: password.map(str::to_owned),
        spec: Some(config::ProviderSpec {
            outbound: Some(config::Outbound {
                proxy: proxy.into(),
                ..config::Outbound::default()
            }),
            ..provider("main")
        }),
        credential: Some("sk-upstream-credential".into()),
        change: None,
    };
    let answer = operator.provider_service().create_provider(request).await?;
    Ok(answer.into_inner().provider.unwrap())
}

#[tokio::test]
async fn b10_a_malformed_proxy_is_refused_at_configuration() {
    let operator = Operator::start().await;
    for proxy in ["ftp://h:1", "http://", "socks5://h:0", "http://h/path"] {
        let refused = behind(&operator, proxy, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{proxy}");
        assert!(
            refused.message().starts_with("spec.outbound.proxy: "),
            "{}",
            refused.message()
        );
    }
    let refused = behind(&operator, "http://me:hunter2@h:1", None)
        .await
        .unwrap_err();
    assert!(refused.message().contains("password"));
    assert!(!refused.message().contains("hunter2"));
}

#[tokio::test]
async fn f01_a_proxys_password_is_write_only_and_stays_with_its_proxy() {
    let operator = Operator::start().await;
    let made = behind(&operator, "http://me@h:1", Some("hunter2")).await.unwrap();
    assert!(made.has_proxy_password);
    assert!(!format!("{made:?}").contains("hunter2"));
    let same = operator
        .update_provider(&made, |spec| spec.weight = 2)
        .await
        .unwrap();
    assert!(same.has_proxy_password);
    let moved = operator.update_provider(&same, |spec| {
        spec.outbound.as_mut().unwrap().proxy = "http://me@elsewhere:1".into();
    });
    assert!(!moved.await.unwrap().has_proxy_password);
}
